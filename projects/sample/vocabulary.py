"""The Spanish half of the sample's vocabulary.

Lumeko is a constructed language: nobody speaks it, and its stems are drawn at random by :mod:`grammar`. Spanish nouns
that do not follow "-o masculine, -a feminine" carry their gender after a slash; verbs are regular.
"""

from __future__ import annotations

ANIMALS = """perro gato pájaro caballo pato gallina cerdo vaca mono jaguar/m serpiente/f tortuga pez/m rana araña
hormiga mariposa abeja mosca murciélago/m ratón/m conejo venado tapir/m caimán/m loro búho halcón/m
garza pantera lobo zorro oveja cabra burro toro gallo paloma cangrejo camarón/m anguila delfín/m
nutria ardilla oso puma/m grillo gusano avispa lagarto"""

FOOD = """pan/m agua/a maíz/m yuca arroz/m plátano frijol/m carne/f sal/f miel/f leche/f huevo fruta caña
cacao/m café/m chile/m calabaza papa tomate/m limón/m naranja mango piña coco harina sopa queso
semilla nuez/f hongo raíz/f hoja flor/f aceite/m palmito guayaba papaya sandía melón/m cebolla ajo
manteca trigo tamarindo vainilla"""

THINGS = """canoa red/f flecha arco cuchillo olla cesta hamaca remo soga lanza tambor/m flauta piedra leña fuego
lámpara mesa silla puerta ventana techo/m cama manta camisa falda sombrero zapato collar/m espejo
libro papel/m lápiz/m carta camino puente/m barco rueda martillo clavo aguja hilo plato cuchara vaso
botella caja bolsa moneda campana cuerda escoba mano/f ojo nariz/f boca brazo pierna cabeza pelo
diente/m lengua oreja dedo hombro espalda rodilla codo cuello pecho hueso piel/f uña barba sol/m
luna lluvia viento nube/f estrella tierra arena cielo relámpago trueno niebla polvo humo barro
escalera pala machete/m peine/m anillo máscara corona pluma tinta vela jabón/m balsa cántaro telar/m
trompo muñeca barril/m cadena candado llave/f linterna mapa/m tejido ladrillo tabla viga"""

PLACES = """casa río bosque/m montaña pueblo escuela mercado laguna playa isla cueva jardín/m campo plaza
iglesia orilla costa bahía canal/m gruta pradera quebrada rincón/m tienda cabaña horno granero
valle/m desierto selva cerro ciudad/f puerto pozo huerto corral/m cocina patio templo torre/f colina
cascada pantano sendero claro aldea frontera hospital/m taller/m molino bodega"""

PEOPLE = """hombre/m mujer/f niño niña abuelo abuela hermano hermana amigo amiga maestro maestra cazador/m
pescador/m médico/m cacique/m vecino vecina hijo hija tío tía primo prima curandero tejedora
cocinera alfarero músico/m soldado viajero anciano anciana huérfano viuda herrero pintora profesora
enfermera leñador/m marinero sobrino sobrina nieto nieta abogado huésped/m guardián/m capitán/m
campesino carpintero partera pastor/m"""

INTRANSITIVE = """caminar cantar bailar nadar llorar gritar trabajar descansar saltar viajar hablar pescar cazar
llegar entrar subir vivir correr beber callar regresar esperar sufrir trepar marchar
bostezar silbar roncar cojear"""

TRANSITIVE = """mirar buscar comprar tomar llevar lavar cortar cocinar preparar limpiar levantar guardar pintar
dejar llamar ayudar escuchar tocar cargar robar comer vender barrer coser aprender temer
meter recibir compartir partir sacudir admirar dibujar golpear matar plantar pelar secar
tejer quemar doblar adornar alabar amarrar arrastrar atrapar cambiar celebrar conservar
copiar cuidar curar desear empujar enseñar entregar esconder fabricar ganar halagar juntar
lamer lanzar mojar nombrar ocultar olvidar ordenar pisar reparar rodear salvar
señalar tapar tirar tragar usar velar visitar vigilar"""

ADJECTIVES = """blanco negro rojo amarillo pequeño alto bajo largo corto nuevo viejo bueno malo frío seco mojado
limpio sucio rico hermoso feo rápido lento pesado ligero duro suave dulce amargo salado oscuro claro
ancho estrecho profundo lleno vacío enfermo sano cansado contento furioso valiente fuerte débil
grande verde azul triste alegre pobre útil extraño redondo sabio terco tibio tranquilo antiguo"""

ADVERBS = {
    "ayer": "past",
    "anoche": "past",
    "antes": "past",
    "ahora": "present",
    "hoy": "present",
    "siempre": "present",
}
ADVERBS |= {"mañana": "future", "pronto": "future", "después": "future"}

NUMBERS = {"dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10}

LOAN_NAMES = ["María", "José", "Carlos", "Rosa", "Juan", "Elena", "Pedro", "Lucía", "Andrés", "Julia", "Tomás", "Clara"]
LOAN_PLACES = ["Lima", "Quito", "Cuzco", "Tarapoto", "Iquitos", "Manaos"]
